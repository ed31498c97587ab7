package gen

import "fmt"

// facts are sentences that belong together: a statement, the same in other words, and one about something else.
func facts() [][3]string {
	return [][3]string{
		{"The bridge opened in 1932.", "Since 1932 people can use the bridge.", "The bakery sells rye bread."},
		{"Bees see ultraviolet light.", "Ultraviolet light is visible to bees.", "The ferry is late today."},
		{"Quito lies near the equator.", "The equator is not far from Quito.", "Paper is made of wood."},
		{"Große Öfen brauchen lange.", "Ein großer Ofen wird langsam warm.", "Der Zug hält nicht in Köln."},
	}
}

// fact is one of them, told apart by a number so that no two records are the same.
func fact(i int) (statement, same, other string) {
	f := facts()[i%len(facts())]
	note := fmt.Sprintf(" (%d)", i+1)
	return f[0] + note, f[1] + note, f[2] + note
}

// sentencePairs has two sentences in each file, tab between them.
func sentencePairs(count int) (Dataset, error) {
	var contents, labels []string
	for i := range count {
		a, b, label := "", "", "paraphrase"
		statement, same, other := fact(i / 2)
		a, b = statement, same
		if i%2 == 1 {
			b, label = other, "unrelated"
		}
		contents = append(contents, a+"\t"+b+"\n")
		labels = append(labels, label)
	}
	return texts("texts", "pair", true, contents, labels), nil
}

// prompts has a prompt and its completion in every other file, and raw text in the rest: both are allowed.
func prompts(count int) (Dataset, error) {
	var contents []string
	for i := range count {
		statement, same, _ := fact(i)
		content := "Say it in other words: " + statement + "\t" + same + "\n"
		if i%2 == 1 {
			content = statement + " " + same + "\n"
		}
		contents = append(contents, content)
	}
	return texts("texts", "prompt", true, contents, nil), nil
}

// translations has a source and its target in each file.
func translations(count int) (Dataset, error) {
	words := [][2]string{{"one apple", "une pomme"}, {"two boats", "deux bateaux"}, {"three keys", "trois clés"}}
	var contents []string
	for i := range count {
		w := words[i%len(words)]
		contents = append(contents, fmt.Sprintf("%s on page %d\t%s à la page %d\n", w[0], i+1, w[1], i+1))
	}
	return texts("texts", "line", false, contents, nil), nil
}

// triplets has an anchor, a positive, and for two records of three a negative in each file.
func triplets(count int) (Dataset, error) {
	var contents []string
	for i := range count {
		anchor, positive, negative := fact(i)
		content := anchor + "\t" + positive
		if i%3 != 2 {
			content += "\t" + negative
		}
		contents = append(contents, content+"\n")
	}
	return texts("texts", "triplet", false, contents, nil), nil
}
