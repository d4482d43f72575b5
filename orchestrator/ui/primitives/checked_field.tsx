// A field that is validated when it loses focus; an error from the server replaces its own.
import { useEffect, useRef, useState, type ComponentProps, type FormEvent, type FocusEvent } from "react";
import { Field } from "./field";

type Props = ComponentProps<typeof Field> & {
  empty?: string;
  pattern?: string;
  wrong?: string;
  sameAs?: string;
  differs?: string;
};

const control = (target: EventTarget) => (target instanceof HTMLInputElement && target.name ? target : null);

export function CheckedField({ empty, pattern, wrong, sameAs, differs, error, children, ...rest }: Props) {
  const [own, setOwn] = useState("");
  const [edited, setEdited] = useState(false);
  const [seen, setSeen] = useState<string | undefined>();
  const box = useRef<HTMLDivElement>(null);
  const sentence = (input: HTMLInputElement) => {
    const text = input.value;
    if (!text.trim()) return empty ?? "";
    if (pattern && !new RegExp(`^(?:${pattern})$`, "u").test(text.trim())) return wrong ?? "";
    const other = sameAs ? input.form?.elements.namedItem(sameAs) : null;
    if (other instanceof HTMLInputElement && other.value && other.value !== text) return differs ?? "";
    return "";
  };
  const leave = (event: FocusEvent) => {
    const input = control(event.target);
    if (!input) return;
    // The server validates the text when the field loses focus, but not the second field of a pair.
    if (!sameAs) setSeen(undefined);
    // Walking through an untouched form is no mistake yet.
    if (input.value || edited) setOwn(sentence(input));
  };
  const type = (event: FormEvent) => {
    const input = control(event.target);
    if (!input) return;
    setEdited(true);
    // The error from the server was about an older text.
    setSeen(error);
    if (own) setOwn(sentence(input));
  };
  useEffect(() => {
    if (!error) setSeen(undefined);
  }, [error]);
  useEffect(() => {
    // The other one of a pair may be the one that is put right.
    const form = sameAs && own ? box.current?.closest("form") : null;
    const input = box.current?.querySelector("input[name]");
    if (!form || !(input instanceof HTMLInputElement)) return;
    const again = () => setOwn(sentence(input));
    form.addEventListener("input", again);
    return () => form.removeEventListener("input", again);
  }, [own, sameAs]);
  return (
    <div ref={box} onBlur={leave} onInput={type} className="contents">
      <Field {...rest} error={own || (error === seen ? "" : error)}>
        {children}
      </Field>
    </div>
  );
}
