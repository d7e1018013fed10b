"""Where Services lead: EndpointSlices and Endpoints of the Pods they select, and slices of Endpoints made by hand."""
