#!/bin/bash
sed -i 's/replicas: 3/replicas: 4/' "$1"
