function primesUnder(limit) {
  const prime = new Array(limit).fill(true);
  prime[0] = prime[1] = false;
  let number = 2;
  while (number * number < limit) {
    if (prime[number]) {
      for (let multiple = number * number; multiple < limit; multiple += number) {
        prime[multiple] = false;
      }
    }
    number += 1;
  }
  let count = 0;
  for (let index = 0; index < limit; index++) {
    if (prime[index]) {
      count += 1;
    }
  }
  return count;
}

print(primesUnder(2000000));
