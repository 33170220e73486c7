class Counter {
  constructor() {
    this.value = 0;
  }

  add(amount) {
    this.value += amount;
  }

  get() {
    return this.value;
  }
}

class Doubling extends Counter {
  add(amount) {
    super.add(amount * 2);
  }
}

function main() {
  const counter = new Counter();
  const doubling = new Doubling();
  for (let turn = 0; turn < 1000000; turn++) {
    counter.add(turn);
    if (turn % 4 === 0) {
      doubling.add(turn);
    }
  }
  print(counter.get(), doubling.get());
}

main();
