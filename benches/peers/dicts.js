function main() {
  const triples = new Map();
  for (let number = 0; number < 1000000; number++) {
    triples.set(number, number * 3);
  }
  let total = 0;
  for (let number = 0; number < 1000000; number++) {
    total += triples.get(number);
  }
  print(triples.size, total);

  const words = new Map();
  for (let number = 0; number < 1000000; number++) {
    words.set("key" + number, number);
  }
  total = 0;
  for (let number = 0; number < 1000000; number += 2) {
    total += words.get("key" + number);
  }
  print(words.size, total);
}

main();
