function count(size, limit) {
  let inside = 0;
  for (let y = 0; y < size; y++) {
    const ci = (2.0 * y) / size - 1.0;
    for (let x = 0; x < size; x++) {
      const cr = (2.0 * x) / size - 1.5;
      let zr = 0.0;
      let zi = 0.0;
      let turns = 0;
      while (turns < limit && zr * zr + zi * zi <= 4.0) {
        const next = zr * zr - zi * zi + cr;
        zi = 2.0 * zr * zi + ci;
        zr = next;
        turns += 1;
      }
      if (turns === limit) {
        inside += 1;
      }
    }
  }
  return inside;
}

print(count(200, 100));
