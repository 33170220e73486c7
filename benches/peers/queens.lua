local function place(row, size, columns, rising, falling)
  if row == size then
    return 1
  end
  local solutions = 0
  for column = 0, size - 1 do
    if not columns[column] and not rising[row + column] and not falling[row - column + size] then
      columns[column], rising[row + column], falling[row - column + size] = true, true, true
      solutions = solutions + place(row + 1, size, columns, rising, falling)
      columns[column], rising[row + column], falling[row - column + size] = false, false, false
    end
  end
  return solutions
end

local function empty(size)
  local squares = {}
  for index = 0, size do
    squares[index] = false
  end
  return squares
end

local function queens(size)
  return place(0, size, empty(size), empty(2 * size), empty(2 * size + 1))
end

local total = 0
for _ = 1, 200 do
  total = total + queens(8)
end
print(total)
