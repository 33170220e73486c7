function main() {
  let total = 0;
  for (let number = 0; number < 10000000; number++) {
    total += number;
  }
  print(total);
}

main();
