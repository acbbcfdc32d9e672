package main

import (
	"context"
	"errors"
)

type object = map[string]any

// startNodes registers both Nodes and starts what plays their kubelets: kwok
// for "kwok-0", and ourselves for "host".
func (b *bed) startNodes(ctx context.Context, api *client) error {
	for _, node := range []object{kwokNode(), b.hostNode()} {
		if err := api.post(ctx, "/api/v1/nodes", node, nil); err != nil {
			return err
		}
	}
	err := b.daemon("kwok", "--kubeconfig="+b.path("kubeconfig"), "--config="+b.stages, "--node-ip=127.0.0.1",
		"--manage-all-nodes=false", "--manage-nodes-with-label-selector=type=kwok")
	if err != nil {
		return err
	}
	if err := startKubelet(b, api); err != nil {
		return err
	}
	return b.await(ctx, "kwok", func(ctx context.Context) error {
		var node struct {
			Status struct{ Conditions []condition }
		}
		if err := api.get(ctx, "/api/v1/nodes/kwok-0", &node); err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == "Ready" && c.Status == "True" {
				return nil
			}
		}
		return errors.New("node kwok-0 has no condition Ready=True")
	})
}

// room is more than any suite asks for.
func room() object {
	return object{"cpu": "1000", "memory": "1Ti", "pods": "100000", "ephemeral-storage": "1Ti"}
}

func kwokNode() object {
	return object{
		"kind": "Node", "apiVersion": "v1",
		"metadata": object{"name": "kwok-0", "labels": object{"type": "kwok", "kubernetes.io/hostname": "kwok-0"}},
		"status":   object{"capacity": room(), "allocatable": room()},
	}
}

// hostNode says which images are here already: that is what draws their Pods.
func (b *bed) hostNode() object {
	images := []object{}
	for image := range b.programs {
		images = append(images, object{"names": []string{image}, "sizeBytes": 4 << 30})
	}
	return object{
		"kind": "Node", "apiVersion": "v1",
		"metadata": object{"name": hostName, "labels": object{"kubernetes.io/hostname": hostName}},
		"spec":     object{"taints": []object{{"key": "signet.dev/host", "effect": "PreferNoSchedule"}}},
		"status": object{
			"capacity": room(), "allocatable": room(), "images": images,
			"addresses":       []object{{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": hostName}},
			"conditions":      []condition{{Type: "Ready", Status: "True", Reason: "TestbedRuns"}},
			"daemonEndpoints": object{"kubeletEndpoint": object{"Port": kubeletPort}},
			"nodeInfo": object{
				"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "testbed", "bootID": "", "machineID": "",
				"containerRuntimeVersion": "testbed", "kernelVersion": "", "kubeProxyVersion": "", "osImage": "", "systemUUID": "",
			},
		},
	}
}
