//! The shapes of instances: which attributes an instance has, and where. A tree of transitions for
//! each class, as in Self and V8 ("hidden classes"). Shapes that no instance has any more are
//! forgotten. Knows no instances.

use crate::vm::Vm;
use crate::vm::heap::class::Name;
use crate::vm::heap::memory::{Counted, block, counted};
use rustc_hash::FxHashMap;
use std::ops::Index;

/// The shape of instances whose attributes are in a dict: it has no names, and no instruction
/// remembers it.
pub(in crate::vm) const NO_SHAPE: u32 = 0;

/// A node of the tree.
#[derive(Clone, Debug, Default)]
pub(in crate::vm) struct Shape {
    /// Names in order of their slots.
    pub names: Vec<Name>,
    /// Where adding a name leads.
    pub transitions: FxHashMap<Name, u32>,
    /// What leads here; a root has itself.
    parent: u32,
}

counted! { Shape: 64, (Name, u32): 8 }

impl Shape {
    /// Bytes that it takes.
    fn bytes(&self) -> usize {
        // An entry of the table takes its key, its value and a byte of the table's.
        let transitions = block(self.transitions.capacity() * 9);
        Shape::BYTES + block(self.names.capacity() * Name::BYTES) + transitions
    }
}

/// All shapes of a VM.
#[derive(Clone, Debug)]
pub(in crate::vm) struct Shapes {
    nodes: Vec<Shape>,
    free: Vec<u32>,
    /// With so many it pays to look for some to forget.
    crowded_at: usize,
}

impl Shapes {
    /// There is the one that is none.
    pub(in crate::vm) fn new() -> Shapes {
        Shapes {
            nodes: vec![Shape::default()],
            free: Vec::new(),
            crowded_at: 0,
        }
    }

    fn insert(&mut self, shape: Shape) -> u32 {
        if let Some(at) = self.free.pop() {
            self.nodes[at as usize] = shape;
            return at;
        }
        self.nodes.push(shape);
        self.nodes.len() as u32 - 1
    }

    /// A class's own: the shape of an instance without attributes.
    pub(in crate::vm) fn new_root(&mut self) -> u32 {
        let root = self.insert(Shape::default());
        self.nodes[root as usize].parent = root;
        root
    }

    /// The shape that adding a name to a shape leads to, and the bytes that it took if it was made
    /// for it.
    pub(in crate::vm) fn with(&mut self, shape: u32, name: Name) -> (u32, usize) {
        let from = &self.nodes[shape as usize];
        if let Some(&next) = from.transitions.get(&name) {
            return (next, 0);
        }
        let mut names = Vec::with_capacity(from.names.len() + 1);
        names.extend_from_slice(&from.names);
        names.push(name);
        let next = self.insert(Shape {
            names,
            transitions: FxHashMap::default(),
            parent: shape,
        });
        self.nodes[shape as usize].transitions.insert(name, next);
        let entry = <(Name, u32)>::BYTES + 1;
        (next, self.nodes[next as usize].bytes() + 2 * entry)
    }

    /// How many numbers have been given out.
    #[must_use]
    pub(in crate::vm) fn numbers(&self) -> usize {
        self.nodes.len()
    }

    /// May it pay to forget some?
    #[must_use]
    pub(in crate::vm) fn are_crowded(&self) -> bool {
        self.nodes.len() - self.free.len() >= self.crowded_at
    }

    /// Forgets the shapes that are not used and lead to none that is. What is used comes back, by
    /// number.
    pub(in crate::vm) fn retain(&mut self, used: impl IntoIterator<Item = u32>) -> Vec<bool> {
        const SOME: usize = 1 << 10;
        let mut stays = vec![false; self.nodes.len()];
        stays[NO_SHAPE as usize] = true;
        for mut at in used {
            while !std::mem::replace(&mut stays[at as usize], true) {
                at = self.nodes[at as usize].parent;
            }
        }
        self.free.clear();
        for (at, shape) in self.nodes.iter_mut().enumerate() {
            if stays[at] {
                shape.transitions.retain(|_, next| stays[*next as usize]);
            } else {
                *shape = Shape::default();
                self.free.push(at as u32);
            }
        }
        self.crowded_at = 2 * (self.nodes.len() - self.free.len()) + SOME;
        stays
    }

    /// What a shape leads to, or nothing if it is forgotten.
    pub(in crate::vm) fn iter(&self) -> impl Iterator<Item = (u32, &Shape)> {
        let numbered = self.nodes.iter().enumerate();
        numbered.map(|(at, shape)| (at as u32, shape))
    }

    /// Bytes that they take.
    #[must_use]
    pub(in crate::vm) fn bytes(&self) -> usize {
        self.nodes.iter().map(Shape::bytes).sum()
    }
}

impl Index<u32> for Shapes {
    type Output = Shape;

    fn index(&self, shape: u32) -> &Shape {
        &self.nodes[shape as usize]
    }
}

impl Vm {
    /// The shape that adding a name to a shape leads to.
    pub(in crate::vm) fn shape_with(&mut self, shape: u32, name: Name) -> u32 {
        let (next, bytes) = self.shapes.with(shape, name);
        self.heap.allocated += bytes;
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_nowhere_is_forgotten() {
        let mut shapes = Shapes::new();
        let root = shapes.new_root();
        let [a, b, c] = [0, 1, 2].map(Name);
        let (with_a, bytes) = shapes.with(root, a);
        assert!(bytes > 0);
        assert_eq!(shapes.with(root, a), (with_a, 0));
        let (with_ab, _) = shapes.with(with_a, b);
        let (with_ac, _) = shapes.with(with_a, c);
        let (with_b, _) = shapes.with(root, b);
        let stays = shapes.retain([root, with_ac]);
        let forgotten: Vec<u32> = (0..)
            .zip(&stays)
            .filter(|it| !it.1)
            .map(|it| it.0)
            .collect();
        assert_eq!(forgotten, [with_ab, with_b]);
        assert_eq!(shapes[with_ac].names, [a, c]);
        assert_eq!(shapes.with(with_a, c), (with_ac, 0));
        let (anew, bytes) = shapes.with(with_a, b);
        assert!(bytes > 0 && forgotten.contains(&anew));
        assert_eq!(shapes[anew].names, [a, b]);
    }
}
