{{/* A Service of the controller. Takes a dict: root, service (its values), port (its name), suffix, labels, and web where it
     leads to webhooks too. kubeseal takes the first port. */}}
{{- define "signet.service" }}
{{- $name := printf "%s%s" (include "signet.fullname" .root) .suffix }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "signet.metadata" (dict "root" .root "name" $name "namespace" (include "signet.namespace" .root) "labels" .labels "annotations" .service.annotations) | nindent 2 }}
spec:
  type: {{ .service.type }}
  {{- with .service.loadBalancerClass }}
  loadBalancerClass: {{ . }}
  {{- end }}
  selector:
    {{- include "signet.selector" .root | nindent 4 }}
  ports:
    - name: {{ .port }}
      port: {{ include "signet.scalar" .service.port }}
      targetPort: {{ .port }}
      {{- with include "signet.scalar" .service.nodePort }}
      nodePort: {{ . }}
      {{- end }}
    {{- if .web }}
    - name: web
      port: {{ include "signet.scalar" (.service.webPort | default 8082) }}
      targetPort: web
      {{- with include "signet.scalar" .service.webNodePort }}
      nodePort: {{ . }}
      {{- end }}
    {{- end }}
{{- end }}
