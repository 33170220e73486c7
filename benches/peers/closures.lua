local function adder(amount)
  return function(number)
    return number + amount
  end
end

local function apply(f, items)
  local result = {}
  for index = 1, #items do
    result[index] = f(items[index])
  end
  return result
end

local function main()
  local items = {}
  for number = 0, 999999 do
    items[number + 1] = number
  end
  local plus_three = adder(3)
  local total = 0
  for index = 1, #items do
    total = total + plus_three(items[index])
  end
  for _, number in ipairs(apply(plus_three, items)) do
    total = total + number
  end
  print(string.format("%.0f", total))
end

main()
