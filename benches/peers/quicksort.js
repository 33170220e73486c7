function numbers(count) {
  let seed = 42;
  const result = [];
  for (let turn = 0; turn < count; turn++) {
    seed = (seed * 16807) % 2147483647;
    result.push(seed);
  }
  return result;
}

function quicksort(items, low, high) {
  while (low < high) {
    const pivot = items[Math.floor((low + high) / 2)];
    let left = low;
    let right = high;
    while (left <= right) {
      while (items[left] < pivot) {
        left += 1;
      }
      while (items[right] > pivot) {
        right -= 1;
      }
      if (left <= right) {
        const item = items[left];
        items[left] = items[right];
        items[right] = item;
        left += 1;
        right -= 1;
      }
    }
    if (right - low < high - left) {
      quicksort(items, low, right);
      low = left;
    } else {
      quicksort(items, left, high);
      high = right;
    }
  }
}

const items = numbers(300000);
quicksort(items, 0, items.length - 1);
print(items[0], items[150000], items[items.length - 1]);
