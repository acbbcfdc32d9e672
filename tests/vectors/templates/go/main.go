// Asks Go's text/template with sprig, as upstream's controller uses them, what each template of ../go.json gives, and
// writes the answers back into the file. Run it here: `go run .`; review: `git diff`.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

type vector struct {
	Template string `json:"template"`
	Output   string `json:"output,omitempty"`
	Base64   string `json:"outputBase64,omitempty"`
	Error    string `json:"error,omitempty"`
}

type file struct {
	// Items by key, in base64.
	Items   map[string][]byte `json:"items"`
	Vectors []vector          `json:"vectors"`
}

func render(dot map[string]string, source string) (out bytes.Buffer, err error) {
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	parsed, err := template.New("x").Funcs(functions).Parse(source)
	if err == nil {
		err = parsed.Execute(&out, dot)
	}
	return out, err
}

func main() {
	const path = "../go.json"
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var all file
	if err := json.Unmarshal(text, &all); err != nil {
		log.Fatal(err)
	}
	dot := map[string]string{}
	for key, value := range all.Items {
		dot[key] = string(value)
	}
	for index, old := range all.Vectors {
		answer := vector{Template: old.Template}
		dot["x"] = old.Template
		out, err := render(dot, old.Template)
		switch {
		case err != nil:
			answer.Error = err.Error()
		case utf8.Valid(out.Bytes()):
			answer.Output = out.String()
		default:
			answer.Base64 = base64.StdEncoding.EncodeToString(out.Bytes())
		}
		all.Vectors[index] = answer
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(all); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
