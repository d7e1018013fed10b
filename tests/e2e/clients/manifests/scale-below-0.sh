#!/bin/bash
sed -i 's/replicas: [0-9]*$/replicas: -1/' "$1"
