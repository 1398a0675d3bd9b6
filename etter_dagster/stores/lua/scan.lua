-- Looks through some of the listed pushes, newest first. ARGV: now, company ('' for all), greatest
-- and least place (bounds of ZREVRANGEBYLEX), how many to look at, how many to find, the filter as
-- JSON, 'list', 'count' or 'roles'. Gives {last place looked at, or '' at the end; pushes, or status,
-- code (for 'roles' the role) and number}.

local where, wanted, mode = cjson.decode(ARGV[7]), tonumber(ARGV[6]), ARGV[8]

local function set_of(values)
  if not values then return nil end
  local set = {}
  for _, value in ipairs(values) do set[value] = true end
  return set
end

local companies, states = set_of(where.companies), set_of(where.states)

local function meets(push, id)
  if companies and not companies[push[1]] then return false end
  if states and not states[push[2]] then return false end
  if where.error_code and where.error_code ~= push[3] then return false end
  if where.batch_id and where.batch_id ~= push[4] then return false end
  if where.source and where.source ~= push[5] then return false end
  if where.role_id and where.role_id ~= push[6] then return false end
  if where.q then
    local text = string.lower(push[7] .. ' ' .. push[1] .. ' ' .. id)
    return string.find(text, string.lower(where.q), 1, true) ~= nil
  end
  return true
end

local listed = ARGV[2] == '' and key('listed') or key('listed', ARGV[2])
local members = call('ZREVRANGEBYLEX', listed, ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])
local last = #members == tonumber(ARGV[5]) and members[#members] or ''
local found, tally = {}, {}
for _, member in ipairs(members) do
  local id = string.sub(member, 17)
  local push = call('HMGET', key('push', id), 'company', 'status', 'error_code', 'batch', 'source',
    'role', 'name')
  if meets(push, id) then
    if mode == 'list' then
      table.insert(found, call('HGETALL', key('push', id)))
      if #found == wanted then
        last = member
        break
      end
    else
      local group = push[2] .. ':' .. ((mode == 'roles' and push[6] or push[3]) or '')
      tally[group] = (tally[group] or 0) + 1
    end
  end
end
for group, number in pairs(tally) do table.insert(found, {group, number}) end
return {last, found}
