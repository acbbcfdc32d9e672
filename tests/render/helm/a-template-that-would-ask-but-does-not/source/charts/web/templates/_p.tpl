{{- define "p" }}
{{- with lookup "v1" "Secret" .Release.Namespace "p" }}{{ .data.p }}{{ else }}new{{ end }}
{{- end }}
