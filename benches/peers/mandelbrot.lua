local function count(size, limit)
  local inside = 0
  for y = 0, size - 1 do
    local ci = 2.0 * y / size - 1.0
    for x = 0, size - 1 do
      local cr = 2.0 * x / size - 1.5
      local zr, zi = 0.0, 0.0
      local turns = 0
      while turns < limit and zr * zr + zi * zi <= 4.0 do
        zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
        turns = turns + 1
      end
      if turns == limit then
        inside = inside + 1
      end
    end
  end
  return inside
end

print(count(200, 100))
