local function main()
  local triples = {}
  for number = 0, 999999 do
    triples[number] = number * 3
  end
  local total, count = 0, 0
  for number = 0, 999999 do
    total = total + triples[number]
    count = count + 1
  end
  print(string.format("%d %.0f", count, total))

  local words = {}
  for number = 0, 999999 do
    words["key" .. string.format("%d", number)] = number
  end
  total = 0
  for number = 0, 999999, 2 do
    total = total + words["key" .. string.format("%d", number)]
  end
  print(string.format("%d %.0f", count, total))
end

main()
