local function main()
  local total = 0
  for number = 0, 10^7 - 1 do
    total = total + number
  end
  print(string.format("%.0f", total))
end

main()
