function place(row, size, columns, rising, falling) {
  if (row === size) {
    return 1;
  }
  let solutions = 0;
  for (let column = 0; column < size; column++) {
    if (!columns[column] && !rising[row + column] && !falling[row - column + size]) {
      columns[column] = rising[row + column] = falling[row - column + size] = true;
      solutions += place(row + 1, size, columns, rising, falling);
      columns[column] = rising[row + column] = falling[row - column + size] = false;
    }
  }
  return solutions;
}

function empty(size) {
  return new Array(size).fill(false);
}

function queens(size) {
  return place(0, size, empty(size), empty(2 * size), empty(2 * size + 1));
}

let total = 0;
for (let turn = 0; turn < 200; turn++) {
  total += queens(8);
}
print(total);
