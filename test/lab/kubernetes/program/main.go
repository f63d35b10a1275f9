// The five programs of Kubernetes that the lab runs, in one file: it acts by its name.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	"k8s.io/component-base/cli"
	"k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	rand.Seed(time.Now().UnixNano())
	switch name := filepath.Base(os.Args[0]); name {
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
	case "kubelet":
		os.Exit(runKubelet())
	default:
		fmt.Fprintf(os.Stderr, "cannot run as %s\n", name)
		os.Exit(2)
	}
}

// The kubelet parses its flags by itself: cli.Run would do so before it (cmd/kubelet/kubelet.go).
func runKubelet() int {
	defer logs.FlushLogs()
	command := kubelet.NewKubeletCommand()
	command.SetGlobalNormalizationFunc(flag.WordSepNormalizeFunc)
	if command.Execute() != nil {
		return 1
	}
	return 0
}
