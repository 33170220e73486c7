-- Lua has no cheap `text = text .. piece`: a buffer is its idiom, for both halves.
local function main()
  local buffer = {}
  for number = 0, 999999 do
    buffer[#buffer + 1] = string.format("%d", number % 10)
  end
  local text = table.concat(buffer)
  print(#text .. " " .. text:sub(123457, 123466))

  local pieces = {}
  for number = 0, 999999 do
    pieces[#pieces + 1] = string.format("%d", number)
  end
  local joined = table.concat(pieces, ",")
  print(#joined)
end

main()
