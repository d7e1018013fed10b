"""A Pod's own network through CNI plugins: `pod.attach` makes it, `pod.detach` takes it away."""
