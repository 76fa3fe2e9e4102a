# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# prepare.sh: what is installed and built before anything runs.

prepare_steps() {
  step "Debian packages" "$repo/tests/cluster/install-packages.sh"
  [[ $1 != local ]] || step "Kubernetes binaries" "$repo/tests/cluster/build.sh" full
  [[ $1 != named ]] || step "kubectl and helm" "$repo/tests/cluster/build.sh" kubectl helm
  [[ -n ${OSTLER_DEMO_KEEP_BINARIES:-} ]] || step "Ostler's binaries" build_binaries
  step "openstack client" install_openstack
  step "guest image" build_guest_image
  [[ $1 != local ]] || step "container image" "$repo/tests/images/build.sh" --bin-dir "$target/debug" ostler
  step "ssh key" make_ssh_key
}

build_binaries() {
  cd "$repo" || return
  CARGO_TARGET_DIR=$target cargo build --locked -p ostler-controller -p ostler-api-shim
}

install_openstack() {
  local venv
  venv=$("$repo/tests/clients/venv.sh" | tail -n 1)
  ln -sfn "$venv/bin/openstack" "$demo/bin/openstack"
}

build_guest_image() {
  [[ -s $demo/tiny.qcow2 ]] || "$repo/tests/guest-image/build.sh" "$demo/tiny.qcow2"
}

make_ssh_key() {
  [[ -s $demo/id_ed25519 ]] || ssh-keygen -q -t ed25519 -N '' -C demo -f "$demo/id_ed25519"
}
