// Boa copies the whole text at each `text += piece`: an array of pieces is quick, for both halves.
function main() {
  const buffer = [];
  for (let number = 0; number < 1000000; number++) {
    buffer.push(String(number % 10));
  }
  const text = buffer.join("");
  print(text.length, text.slice(123456, 123466));

  const pieces = [];
  for (let number = 0; number < 1000000; number++) {
    pieces.push(`${number}`);
  }
  const joined = pieces.join(",");
  print(joined.length);
}

main();
