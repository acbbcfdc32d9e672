package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"time"
)

const (
	hostName    = "host"
	kubeletPort = 10250
)

// kubelet runs the Pods of the node "host": a container whose image is in the
// table as a real process, every other one in pretence, as kwok does. It knows
// what our own programs need and refuses no Pod for what it does not know.
type kubelet struct {
	*bed
	api   *client
	mutex sync.Mutex
	pods  map[string]*podWorker // by UID
}

func startKubelet(b *bed, api *client) error {
	k := &kubelet{bed: b, api: api, pods: map[string]*podWorker{}}
	if err := k.serveLogs(); err != nil {
		return err
	}
	go func() {
		for {
			if err := k.follow(context.Background()); err != nil {
				time.Sleep(200 * time.Millisecond)
			}
		}
	}()
	return nil
}

// follow lists and watches once, until the API server ends the watch.
func (k *kubelet) follow(ctx context.Context) error {
	path := "/api/v1/pods?fieldSelector=" + url.QueryEscape("spec.nodeName="+hostName)
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []pod
	}
	if err := k.api.get(ctx, path, &list); err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, p := range list.Items {
		listed[p.Metadata.UID] = true
		k.see(p)
	}
	k.forgetOthers(listed)
	response, err := k.api.send(ctx, "GET", path+"&watch=true&resourceVersion="+list.Metadata.ResourceVersion, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return k.decode(json.NewDecoder(response.Body))
}

func (k *kubelet) decode(events *json.Decoder) error {
	for {
		var event struct {
			Type   string
			Object pod
		}
		if err := events.Decode(&event); err != nil {
			return err
		}
		switch event.Type {
		case "ADDED", "MODIFIED":
			k.see(event.Object)
		case "DELETED":
			k.forget(event.Object.Metadata.UID)
		case "ERROR":
			return fmt.Errorf("watch of pods ended")
		}
	}
}

func (k *kubelet) see(p pod) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	worker := k.pods[p.Metadata.UID]
	if worker == nil {
		worker = newPodWorker(k, p)
		k.pods[p.Metadata.UID] = worker
		go worker.run()
	}
	if p.Metadata.DeletionTimestamp != nil {
		seconds := int64(0)
		if given := p.Metadata.DeletionGracePeriodSeconds; given != nil {
			seconds = *given
		}
		worker.finish(time.Duration(seconds) * time.Second)
	}
}

func (k *kubelet) forget(uid string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if worker := k.pods[uid]; worker != nil {
		worker.finish(0)
		delete(k.pods, uid)
	}
}

func (k *kubelet) forgetOthers(listed map[string]bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for uid, worker := range k.pods {
		if !listed[uid] {
			worker.finish(0)
			delete(k.pods, uid)
		}
	}
}
