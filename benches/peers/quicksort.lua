local floor = math.floor

local function numbers(count)
  local seed = 42
  local result = {}
  for index = 0, count - 1 do
    seed = seed * 16807 % 2147483647
    result[index] = seed
  end
  return result
end

local function quicksort(items, low, high)
  while low < high do
    local pivot = items[floor((low + high) / 2)]
    local left, right = low, high
    while left <= right do
      while items[left] < pivot do
        left = left + 1
      end
      while items[right] > pivot do
        right = right - 1
      end
      if left <= right then
        items[left], items[right] = items[right], items[left]
        left = left + 1
        right = right - 1
      end
    end
    if right - low < high - left then
      quicksort(items, low, right)
      low = left
    else
      quicksort(items, left, high)
      high = right
    end
  end
end

local items = numbers(300000)
quicksort(items, 0, 299999)
print(string.format("%.0f %.0f %.0f", items[0], items[150000], items[299999]))
