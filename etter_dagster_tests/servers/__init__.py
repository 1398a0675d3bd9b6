"""Real servers that tests start themselves: one module each, `shared.py` for what they have in
common. A server that cannot be had here means a skip that names `make test-servers`.
"""
