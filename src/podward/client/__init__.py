"""How Podward's own parts speak to an API server, as any client does: requests, informers, queues, events, leases."""
