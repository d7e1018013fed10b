#!/bin/bash
# Two requests for client certificates, with a key of their own.
openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -subj "/O=dev/CN=dave" -out request.pem 2>/dev/null
for name in dave erin; do
    printf 'apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: %s}\nspec:\n  request: %s\n  signerName: kubernetes.io/kube-apiserver-client\n  expirationSeconds: 86400\n  usages: [client auth]\n' \
        "$name" "$(base64 -w0 request.pem)" | kubectl create -f -
done
