-- What a script finds beside `obj`: Lua's basic functions, `table`, and of `os` what only tells the time; with useOpenLibs also
-- `string`, `math` and `coroutine`. Nothing here reaches a file, a process or the environment.

-- `within_time` answers its arguments, or ends the script once its time is up.
local within_time, open_libs = ...

-- No code from files or from bytes; no finalizers, since no limit reaches what runs while garbage is collected.
dofile, loadfile, load, loadstring, newproxy = nil, nil, nil, nil, nil
-- The result is the only output.
print = function() end
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

if open_libs then
  coroutine.resume = caught(coroutine.resume)
  -- Matching recurses once for each item of a pattern, on a stack that is not Lua's.
  local longest = 1000
  for _, name in ipairs { "find", "gmatch", "gsub", "match" } do
    local call = string[name]
    string[name] = function(text, pattern, ...)
      if type(pattern) == "string" and #pattern > longest then
        error("a pattern may have " .. longest .. " bytes", 2)
      end
      return call(text, pattern, ...)
    end
  end
else
  coroutine = nil
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
