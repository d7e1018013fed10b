"""What a node's proxy makes of Services: where a connection may go, and the nftables rules that send it there."""
