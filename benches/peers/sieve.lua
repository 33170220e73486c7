local function primes_under(limit)
  local prime = {}
  for number = 0, limit - 1 do
    prime[number] = true
  end
  prime[0], prime[1] = false, false
  local number = 2
  while number * number < limit do
    if prime[number] then
      for multiple = number * number, limit - 1, number do
        prime[multiple] = false
      end
    end
    number = number + 1
  end
  local count = 0
  for number = 0, limit - 1 do
    if prime[number] then
      count = count + 1
    end
  end
  return count
end

print(primes_under(2000000))
