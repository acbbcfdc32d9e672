{{/* The controller's image, arguments and probes. */}}

{{/* Values that name Sealed Secrets' own image mean ours, from the same registry unless that is the usual one. */}}
{{- define "signet.image" -}}
{{- $registry := .Values.image.registry -}}
{{- $repository := .Values.image.repository -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion | toString -}}
{{- if hasSuffix "sealed-secrets-controller" $repository -}}
{{- $registry = eq $registry "docker.io" | ternary "ghcr.io" $registry -}}
{{- $repository = "signet-dev/signet-controller" -}}
{{- $tag = .Chart.AppVersion -}}
{{- end -}}
{{- with $registry }}{{ . }}/{{ end }}{{ $repository }}:{{ $tag }}
{{- end -}}

{{/* A scalar as a flag takes it: Helm makes every number a float, and prints 1000000 as 1e+06. */}}
{{- define "signet.scalar" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else if not (kindIs "invalid" .) }}{{ . }}{{ end -}}
{{- end -}}

{{/* A port of the container. Values of Sealed Secrets' chart do not have ours. Takes (root, name). */}}
{{- define "signet.port" -}}
{{- $usual := dict "http" 8080 "metrics" 8081 "web" 8082 -}}
{{- $name := index . 1 -}}
{{- include "signet.scalar" (get (index . 0).Values.containerPorts $name | default (get $usual $name)) -}}
{{- end -}}

{{/* k=v,k=v */}}
{{- define "signet.entries" -}}
{{- $entries := list -}}
{{- range $key, $value := . }}{{ $entries = append $entries (printf "%s=%s" $key $value) }}{{ end -}}
{{- join "," $entries -}}
{{- end -}}

{{/* Where Roles are granted and no further namespace is named, the controller must not ask for all of them. */}}
{{- define "signet.allNamespaces" -}}
{{- if and .Values.rbac.create .Values.rbac.namespacedRoles (not .Values.additionalNamespaces) }}false{{ end -}}
{{- end -}}

{{/* The controller's flags; what is not set is left to the controller. */}}
{{- define "signet.flags" -}}
{{- $flags := dict
  "additional-namespaces" (join "," .Values.additionalNamespaces)
  "all-namespaces" (include "signet.allNamespaces" .)
  "key-cutoff-time" .Values.keycutofftime
  "key-prefix" .Values.secretName
  "key-renew-period" .Values.keyrenewperiod
  "key-ttl" .Values.keyttl
  "kubeclient-burst" .Values.kubeClientBurst
  "kubeclient-qps" .Values.kubeClientQPS
  "listen-addr" (printf ":%s" (include "signet.port" (list . "http")))
  "listen-metrics-addr" (printf ":%s" (include "signet.port" (list . "metrics")))
  "log-format" .Values.logFormat
  "log-info-stdout" .Values.logInfoStdout
  "log-level" .Values.logLevel
  "max-unseal-retries" .Values.maxRetries
  "privatekey-annotations" (include "signet.entries" .Values.privateKeyAnnotations)
  "privatekey-labels" (include "signet.entries" .Values.privateKeyLabels)
  "rate-limit" .Values.rateLimit
  "rate-limit-burst" .Values.rateLimitBurst
  "restart-workloads" .Values.restartWorkloads
  "skip-recreate" .Values.skipRecreate
  "take-over" .Values.takeOver
  "update-status" .Values.updateStatus
  "watch-for-secrets" .Values.watchForSecrets
-}}
{{- if include "signet.syncs" . -}}
{{- $_ := merge $flags (dict
  "allow-file-repositories" .Values.sync.allowFileRepositories
  "application-namespaces" (join "," .Values.sync.applicationNamespaces)
  "data-dir" "/data"
  "git-poll-interval" .Values.sync.gitPollInterval
  "git-poll-jitter" .Values.sync.gitPollJitter
  "git-submodules" .Values.sync.gitSubmodules
  "helm-program" .Values.sync.helmProgram
  "kustomize-enable-helm" .Values.sync.kustomizeEnableHelm
  "kustomize-enable-remote-bases" .Values.sync.kustomizeEnableRemoteBases
  "kustomize-program" .Values.sync.kustomizeProgram
  "web-addr" (printf ":%s" (include "signet.port" (list . "web")))
  "webhook-allow-unsigned" .Values.sync.webhookAllowUnsigned
) -}}
{{- else -}}
{{- $_ := set $flags "only" "sealing" -}}
{{- end -}}
{{- range $flag, $value := $flags }}
{{- $text := include "signet.scalar" $value }}
{{- if ne $text "" }}
- {{ printf "--%s=%s" $flag $text | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A probe: the custom one, else the usual one where it is enabled. Takes (root, custom, usual, what it does). */}}
{{- define "signet.probe" -}}
{{- $custom := index . 1 -}}
{{- $usual := index . 2 -}}
{{- if $custom -}}
{{- include "signet.render" (list (index . 0) $custom) -}}
{{- else if $usual.enabled -}}
{{- /* The API server leaves a zero out; applying it again would look like a change. */ -}}
{{- $unsaid := ternary (list "enabled") (list "enabled" "initialDelaySeconds") (ne (int $usual.initialDelaySeconds) 0) -}}
{{- toYaml (index . 3) }}
{{- range $field, $value := $usual }}
{{- if not (has $field $unsaid) }}
{{ $field }}: {{ include "signet.scalar" $value }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
