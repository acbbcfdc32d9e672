-- What a script finds beside `obj`: Lua's basic functions, `table`, and of `os` what only tells the time; with useOpenLibs also
-- `string`, `math` and `coroutine`. Nothing here reaches a file, a process or the environment.

-- `within_time` answers its arguments, or ends the script once its time is up.
local within_time, open_libs = ...

-- No code from files or from bytes.
dofile, loadfile, load = nil, nil, nil
-- The result is the only output.
print = function() end
-- Memory is collected as it is needed, and never in a way that a script chooses.
collectgarbage = function() end
os = { clock = os.clock, date = os.date, difftime = os.difftime, time = os.time }

-- Whoever catches errors would catch the end of the time as well.
local function caught(call)
  return function(...)
    return within_time(call(...))
  end
end
pcall = caught(pcall)

-- Lua's own calls the handler where the error is raised; at the end of the time that is inside the clock, which then stands still.
function xpcall(call, handler)
  local function settled(fine, ...)
    if fine then
      return true, ...
    end
    return false, select(2, pcall(handler, ...))
  end
  return settled(pcall(call))
end

local ipairs, next, rawget, rawset, sort, type = ipairs, next, rawget, rawset, table.sort, type

-- No finalizers, since no limit reaches what runs while garbage is collected. Lua looks for one only while a metatable is set.
local attach = setmetatable
function setmetatable(object, meta)
  local finalizer
  if type(meta) == "table" then
    finalizer = rawget(meta, "__gc")
  end
  if finalizer == nil then
    return attach(object, meta)
  end
  rawset(meta, "__gc", nil)
  attach(object, meta)
  rawset(meta, "__gc", finalizer)
  return object
end

-- Numbers, then names, each in order. Left to itself, the order is another one in each machine, and a message that is joined from
-- several names would never be the same twice.
local function keys_in_order(object)
  local numbers, names, others = {}, {}, {}
  for key in next, object do
    local kind = type(key)
    local list = kind == "number" and numbers or kind == "string" and names or others
    list[#list + 1] = key
  end
  sort(numbers)
  sort(names)
  for _, list in ipairs { names, others } do
    for _, key in ipairs(list) do
      numbers[#numbers + 1] = key
    end
  end
  return numbers
end

function pairs(object)
  if type(object) ~= "table" then
    error("bad argument #1 to 'pairs' (table expected, got " .. type(object) .. ")", 2)
  end
  local keys, at = keys_in_order(object), 0
  return function()
    local key, value
    repeat
      at = at + 1
      key = keys[at]
      value = key ~= nil and rawget(object, key)
    until key == nil or value ~= nil
    return key, value
  end
end

-- What Argo CD's interpreter has as well, and this one calls otherwise or no longer has.
unpack = table.unpack
function table.getn(list)
  return #list
end
function table.maxn(list)
  local largest = 0
  for key in next, list do
    largest = type(key) == "number" and key > largest and key or largest
  end
  return largest
end
if open_libs then
  math.log10 = function(number)
    return math.log(number, 10)
  end
  math.mod = function(dividend, divisor)
    return dividend % divisor
  end
  string.gfind = string.gmatch
  coroutine.resume = caught(coroutine.resume)
end

local modules = { coroutine = coroutine, math = math, os = os, string = string, table = table }
package = { loaded = modules }
function require(name)
  local module = modules[name]
  if module == nil then
    error("module '" .. tostring(name) .. "' not found", 2)
  end
  return module
end
