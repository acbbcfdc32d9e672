package main

// What the kubelet reads of a Pod, and nothing that it does not obey.

type pod struct {
	Metadata struct {
		Name, Namespace, UID       string
		DeletionTimestamp          *string
		DeletionGracePeriodSeconds *int64
	}
	Spec struct {
		InitContainers     []container
		Containers         []container
		Volumes            []volume
		RestartPolicy      string
		ServiceAccountName string
		NodeName           string
	}
	Status struct{ Phase string }
}

type container struct {
	Name, Image   string
	Command, Args []string
	WorkingDir    string
	Env           []variable
	Ports         []struct {
		Name          string
		ContainerPort int
	}
	VolumeMounts    []volumeMount
	ReadinessProbe  *probe
	SecurityContext struct{ RunAsUser int } // where the image has a root of its own
}

type variable struct {
	Name, Value string
	ValueFrom   *struct {
		FieldRef *struct{ FieldPath string }
	}
}

type volume struct {
	Name     string
	EmptyDir *struct{}
}

type volumeMount struct{ Name, MountPath string }

type probe struct {
	HTTPGet *struct {
		Path string
		Port any // a number or the name of a port
	}
	InitialDelaySeconds, PeriodSeconds int
}

type condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	Reason             string `json:"reason,omitempty"`
	LastTransitionTime string `json:"lastTransitionTime,omitempty"`
}
