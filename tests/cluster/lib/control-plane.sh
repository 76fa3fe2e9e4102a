# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# control-plane.sh: the command lines of etcd, kube-apiserver and kube-controller-manager, for both sizes of cluster.
# Source it after pki.sh. Each function prints nothing and fills the array CMD. $DIR: the cluster's folder.

SERVICE_CIDR=10.96.0.0/16

# etcd_command BINARY URL: no fsync: the state is thrown away with the cluster.
etcd_command() {
  CMD=("$1" --name=default --data-dir="$DIR/etcd" --unsafe-no-fsync --log-level=warn
    --listen-client-urls="$2" --advertise-client-urls="$2"
    # One member needs no peers; port 0 is any free one.
    --listen-peer-urls=http://127.0.0.1:0 --initial-advertise-peer-urls=http://127.0.0.1:0
    --initial-cluster=default=http://127.0.0.1:0)
}

# apiserver_command BINARY ETCD_URL ADDRESS PORT [FLAG...]
apiserver_command() {
  CMD=("$1" --etcd-servers="$2" --advertise-address="$3" --secure-port="$4"
    --cert-dir="$PKI" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key"
    --client-ca-file="$PKI/ca.crt"
    --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group
    --requestheader-extra-headers-prefix=X-Remote-Extra-
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key"
    --service-account-issuer=https://kubernetes.default.svc
    --service-account-key-file="$PKI/service-account.pub"
    --service-account-signing-key-file="$PKI/service-account.key"
    --service-cluster-ip-range="$SERVICE_CIDR" "--authorization-mode=Node,RBAC"
    --enable-admission-plugins=NodeRestriction --allow-privileged=true "${@:5}")
}

# controller_manager_command BINARY KUBECONFIG: its default API rate would delay the first service account by 5 s.
controller_manager_command() {
  CMD=("$1" --kubeconfig="$2" --leader-elect=false --secure-port=0
    --service-account-private-key-file="$PKI/service-account.key" --root-ca-file="$PKI/ca.crt"
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key"
    --use-service-account-credentials --kube-api-qps=500 --kube-api-burst=1000)
}

# apiserver_ready ADDRESS PORT: whether /readyz says ok (anonymous callers may ask).
apiserver_ready() {
  [[ $(curl -sf --noproxy '*' -m 2 --cacert "$PKI/ca.crt" "https://$1:$2/readyz") == ok ]]
}
