local function longest(limit)
  local best, best_start = 0, 0
  for start = 1, limit - 1 do
    local number, steps = start, 0
    while number ~= 1 do
      if number % 2 == 0 then
        number = number // 2
      else
        number = 3 * number + 1
      end
      steps = steps + 1
    end
    if steps > best then
      best, best_start = steps, start
    end
  end
  return best, best_start
end

local best, best_start = longest(300000)
print(best .. " " .. best_start)
