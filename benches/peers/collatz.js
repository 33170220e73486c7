function longest(limit) {
  let best = 0;
  let bestStart = 0;
  for (let start = 1; start < limit; start++) {
    let number = start;
    let steps = 0;
    while (number !== 1) {
      if (number % 2 === 0) {
        number = number / 2;
      } else {
        number = 3 * number + 1;
      }
      steps += 1;
    }
    if (steps > best) {
      best = steps;
      bestStart = start;
    }
  }
  return [best, bestStart];
}

print(...longest(300000));
