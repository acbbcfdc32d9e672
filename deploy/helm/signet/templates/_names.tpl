{{/* Names, labels and metadata that all objects share. */}}

{{/* "true" where the release stands in the place of one of Sealed Secrets' chart: then names, labels and rights are those
     of that chart, so that `helm upgrade` and `helm rollback` go from one to the other. */}}
{{- define "signet.inPlace" -}}
{{- $names := list .Release.Name (.Values.fullnameOverride | default "") (.Values.nameOverride | default "") -}}
{{- if contains "sealed-secrets" (join " " $names) }}true{{ end -}}
{{- end -}}

{{/* What app.kubernetes.io/name says. */}}
{{- define "signet.name" -}}
{{- $usual := ternary "sealed-secrets" .Chart.Name (eq (include "signet.inPlace" .) "true") -}}
{{- .Values.nameOverride | default $usual | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The beginning of all names: the release's own name where it says what it is. */}}
{{- define "signet.base" -}}
{{- $name := include "signet.name" . -}}
{{- $usual := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $usual | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of Deployment, Services and service account. `signet` and kubeseal look for such a Service. */}}
{{- define "signet.fullname" -}}
{{- if or .Values.fullnameOverride .Values.nameOverride (include "signet.inPlace" .) -}}
{{- include "signet.base" . -}}
{{- else -}}
{{- printf "%s-controller" (include "signet.base" . | trunc 52 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "signet.namespace" -}}
{{- .Values.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "signet.serviceAccount" -}}
{{- $usual := ternary (include "signet.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $usual -}}
{{- end -}}

{{/* "true" where the controller mirrors repositories: unless said otherwise, where it does not stand in another's place.
     After `helm upgrade --reuse-values` from Sealed Secrets' chart there are only the values that it has. */}}
{{- define "signet.syncs" -}}
{{- $usual := ne (include "signet.inPlace" .) "true" -}}
{{- $said := (.Values.sync).enabled -}}
{{- if ternary $usual $said (kindIs "invalid" $said) }}true{{ end -}}
{{- end -}}

{{/* A value as YAML; templates in it are rendered. Takes (root, value). */}}
{{- define "signet.render" -}}
{{- $value := index . 1 -}}
{{- tpl (kindIs "string" $value | ternary $value (toYaml $value)) (index . 0) -}}
{{- end -}}

{{- define "signet.selector" -}}
app.kubernetes.io/name: {{ include "signet.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The metadata of an object. Takes a dict: root, name; where wanted namespace, labels, annotations. */}}
{{- define "signet.metadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "signet.selector" .root | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/part-of: {{ include "signet.name" .root }}
  {{- range list .root.Values.commonLabels .labels }}
  {{- with . }}
  {{- include "signet.render" (list $.root .) | nindent 2 }}
  {{- end }}
  {{- end }}
{{- if or .root.Values.commonAnnotations .annotations }}
annotations:
  {{- range list .root.Values.commonAnnotations .annotations }}
  {{- with . }}
  {{- include "signet.render" (list $.root .) | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The account as the subject of a binding. */}}
{{- define "signet.subject" -}}
- kind: ServiceAccount
  name: {{ include "signet.serviceAccount" . }}
  namespace: {{ include "signet.namespace" . }}
{{- end -}}
