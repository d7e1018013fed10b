"""Verbs in processes of their own: `engine` forks a worker for each call, `client` is how an asyncio process asks."""
