{{/* A binding that refuses what the policy of the same name refuses. */}}
{{- define "ostler.policyBinding" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "ostler.name" . }}
  labels: {{- include "ostler.labels" . | nindent 4 }}
spec:
  policyName: {{ include "ostler.name" . }}
  validationActions: [Deny]
{{- end }}

{{/* CEL: the machine that the caller's token was made for; '' when it is bound to none. */}}
{{- define "ostler.celNodeName" -}}
'authentication.kubernetes.io/node-name' in request.userInfo.extra ? request.userInfo.extra['authentication.kubernetes.io/node-name'][0] : ''
{{- end }}
