#!/bin/sh
# base-hook.sh ROOT: what the packages' maintainer scripts would have done and an image needs (base.sh runs none of them).
set -eu
root=$1
mkdir -p "$root/etc/ssl/certs" "$root/run" "$root/tmp" "$root/usr/local/bin" "$root/var"
chmod 1777 "$root/tmp"
# libvirt's default socket is below /var/run.
rm -rf "$root/var/run"
ln -s /run "$root/var/run"
printf 'root:x:0:0:root:/:/sbin/nologin\nostler:x:65532:65532:ostler:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nostler:x:65532:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
# update-ca-certificates' bundle.
if [ -d "$root/usr/share/ca-certificates" ]; then
  find "$root/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
fi
rm -rf "$root"/usr/share/info "$root"/usr/share/bash-completion "$root"/usr/share/lintian "$root"/var/log/* "$root"/var/cache/* "$root"/var/lib/apt/lists/*
