"""Planning: quotas, shards of work, and each row's own random streams."""
