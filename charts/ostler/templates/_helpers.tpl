{{/* Name of a part: <release>-<part>. */}}
{{- define "ostler.name" -}}
{{ printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Labels that select a part's pods; never to be changed. */}}
{{- define "ostler.selector" -}}
app.kubernetes.io/name: ostler
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "ostler.labels" -}}
{{ include "ostler.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "ostler.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The user name of a part's ServiceAccount. */}}
{{- define "ostler.user" -}}
{{ printf "system:serviceaccount:%s:%s" .root.Release.Namespace (include "ostler.name" .) }}
{{- end }}

{{/* What every container here gets. The node role adds runAsUser 0, see its DaemonSet. */}}
{{- define "ostler.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "ostler.podEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: RUST_LOG
  value: {{ .Values.logLevel | quote }}
{{- end }}

{{/* Audience of the tokens that the shim and the node roles show each other: names::STREAM_AUDIENCE. */}}
{{- define "ostler.streamAudience" -}}
ostler.compute.ostler.dev
{{- end }}

{{/* A volume with a token of the pod's ServiceAccount for streams, renewed by the kubelet. */}}
{{- define "ostler.streamTokenVolume" -}}
- name: stream-token
  projected:
    sources:
    - serviceAccountToken:
        audience: {{ include "ostler.streamAudience" . }}
        expirationSeconds: 3600
        path: token
{{- end }}

{{/* Name of the Secret with the stream port's certificate. */}}
{{- define "ostler.streamTlsSecret" -}}
{{ .Values.apiShim.tls.existingSecret | default (printf "%s-tls" (include "ostler.name" (dict "root" . "part" "api-shim"))) }}
{{- end }}
