-- POSTs a body in which every "@@" is replaced by a number that no other request has.
-- Arguments after "--": the body, a prefix for the numbers, then "Name: value" headers.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(arguments)
  body = arguments[1]
  prefix = arguments[2] .. "-" .. number .. "-"
  count = 0
  headers = { ["Content-Type"] = "application/json" }
  for place = 3, #arguments do
    local name, value = arguments[place]:match("^(.-):%s*(.*)$")
    headers[name] = value
  end
end

function request()
  count = count + 1
  local text = body:gsub("@@", prefix .. count)
  return wrk.format("POST", nil, headers, text)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "\nresult %d %d %d %d %d %d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95)
  ))
end
