# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# pki.sh: a throw-away certificate authority, its certificates and kubeconfigs. Source it after common.sh, $here set.
# Everything is made in the folder $PKI (set by the caller). EC keys, because an RSA key takes as long as all of this.

PKI_DAYS=365

# pki_cert SECTION SUBJECT NAME CA [SAN]: NAME.key and NAME.crt, signed by CA (NAME itself: a root).
pki_cert() {
  local section=$1 subject=$2 name=$3 ca=$4 signer=()
  [[ $name == "$ca" ]] || signer=(-CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key")
  OSTLER_SAN=${5:-DNS:unused} openssl req -x509 -config "$here/lib/openssl.cnf" -extensions "$section" \
    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$PKI_DAYS" -subj "$subject" "${signer[@]}" \
    -keyout "$PKI/$name.key" -out "$PKI/$name.crt" >>"$PKI/openssl.log" 2>&1 ||
    blame "making the certificate $name" "$PKI/openssl.log"
}

# pki_control_plane SAN: what the API server and its local clients need.
pki_control_plane() {
  (umask 077 && mkdir -p "$PKI")
  pki_cert ca /CN=ostler-test-ca ca ca
  pki_cert ca /CN=ostler-test-front-proxy-ca front-proxy-ca front-proxy-ca
  pki_cert server /CN=kube-apiserver apiserver ca "$1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  pki_cert client /CN=front-proxy-client front-proxy front-proxy-ca
  pki_cert client /O=system:masters/CN=admin admin ca
  pki_cert client /CN=system:kube-controller-manager controller-manager ca
  pki_cert client /O=system:masters/CN=kube-apiserver-kubelet-client apiserver-kubelet ca
  {
    openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/service-account.key"
    openssl pkey -in "$PKI/service-account.key" -pubout -out "$PKI/service-account.pub"
  } 2>>"$PKI/openssl.log" || blame "making the service accounts' key" "$PKI/openssl.log"
}

# pki_kubeconfig NAME SERVER FILE: a kubeconfig of one file, with the certificates inside.
pki_kubeconfig() {
  local name=$1 server=$2 file=$3 ca crt key
  ca=$(base64 -w0 "$PKI/ca.crt") crt=$(base64 -w0 "$PKI/$name.crt") key=$(base64 -w0 "$PKI/$name.key")
  (umask 077 && cat >"$file") <<E
apiVersion: v1
kind: Config
clusters:
- name: ostler-test
  cluster: {server: "$server", certificate-authority-data: $ca}
users:
- name: $name
  user: {client-certificate-data: $crt, client-key-data: $key}
contexts:
- name: ostler-test
  context: {cluster: ostler-test, user: $name}
current-context: ostler-test
E
}
