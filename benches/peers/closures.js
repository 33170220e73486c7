function adder(amount) {
  return (number) => number + amount;
}

function apply(f, items) {
  const result = [];
  for (let index = 0; index < items.length; index++) {
    result.push(f(items[index]));
  }
  return result;
}

function main() {
  const items = [];
  for (let number = 0; number < 1000000; number++) {
    items.push(number);
  }
  const plusThree = adder(3);
  let total = 0;
  for (let index = 0; index < items.length; index++) {
    total += plusThree(items[index]);
  }
  const applied = apply(plusThree, items);
  for (let index = 0; index < applied.length; index++) {
    total += applied[index];
  }
  print(total);
}

main();
