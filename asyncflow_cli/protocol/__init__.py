"""The pure rooms: messages, states and decisions. No sockets, clocks, files or asyncio."""
