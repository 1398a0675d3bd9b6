-- A held push back to its place. ARGV: now, id, token. Gives 1, or 0 if the lease was lost.

local push = held(ARGV[2], ARGV[3])
if not push then return 0 end
give_back(push)
tell()
return 1
