"""The cluster's names: what a DNS server answers from Services and EndpointSlices, and how that is written."""
