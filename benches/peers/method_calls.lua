local Counter = {}
Counter.__index = Counter

function Counter.new()
  return setmetatable({ value = 0 }, Counter)
end

function Counter:add(amount)
  self.value = self.value + amount
end

function Counter:get()
  return self.value
end

local Doubling = setmetatable({}, { __index = Counter })
Doubling.__index = Doubling

function Doubling.new()
  return setmetatable({ value = 0 }, Doubling)
end

function Doubling:add(amount)
  Counter.add(self, amount * 2)
end

local function main()
  local counter, doubling = Counter.new(), Doubling.new()
  for turn = 0, 999999 do
    counter:add(turn)
    if turn % 4 == 0 then
      doubling:add(turn)
    end
  end
  print(string.format("%.0f %.0f", counter:get(), doubling:get()))
end

main()
