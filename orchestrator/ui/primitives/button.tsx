// The one button of the product: variants by class-variance-authority, a link when it has an address.
import { cva } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { cn } from "./cn";

export const buttonClasses = cva(
  "inline-flex shrink-0 cursor-pointer select-none items-center justify-center gap-2 whitespace-nowrap rounded-lg border border-transparent font-medium no-underline transition-colors focus-ring disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50 tap [&>svg]:size-4 [&>svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-primary text-primary-foreground hover:bg-primary/90",
        outline: "border-border bg-card text-foreground hover:bg-muted",
        secondary: "bg-muted text-foreground hover:bg-foreground/12",
        ghost: "text-muted-foreground hover:bg-muted hover:text-foreground",
        destructive: "border-destructive/45 bg-card text-destructive hover:bg-destructive/10",
        danger: "bg-destructive-fill text-white hover:bg-destructive-fill/90",
        link: "link-muted rounded-md px-0 text-foreground",
      },
      size: {
        sm: "h-7 rounded-md px-2.5 text-xs gap-1.5 [&>svg]:size-3.5",
        md: "h-9 px-3.5 text-sm",
        lg: "h-11 px-5 text-sm",
        icon: "size-9 p-0",
        "icon-sm": "size-7 rounded-md p-0",
      },
    },
    defaultVariants: { variant: "outline", size: "md" },
  },
);

type Props = {
  variant?: "primary" | "outline" | "secondary" | "ghost" | "destructive" | "danger" | "link";
  size?: "sm" | "md" | "lg" | "icon" | "icon-sm";
  loading?: boolean;
  disabled?: boolean;
  href?: string;
  download?: boolean | string;
  external?: boolean;
  type?: "button" | "submit" | "reset";
  className?: string;
  children?: ReactNode;
  [key: string]: unknown;
};

export function Button({
  variant,
  size,
  loading = false,
  disabled = false,
  href,
  download,
  external = false,
  type = "button",
  className,
  children,
  ...rest
}: Props) {
  const classes = cn(buttonClasses({ variant, size }), loading && "[&>svg:not([data-busy])]:hidden", className as string);
  const busy = loading ? <LoaderCircle data-busy aria-hidden className="animate-spin" /> : null;
  if (href && !disabled) {
    const plain = external || download || /^(\/api|\/docs|[a-z]+:|#)/.test(href);
    if (plain) {
      return (
        <a href={href} download={download as string} className={classes} {...rest}>
          {busy}
          {children}
        </a>
      );
    }
    return (
      <Link to={href} className={classes} {...rest}>
        {busy}
        {children}
      </Link>
    );
  }
  return (
    <button type={type} disabled={disabled || loading} aria-busy={loading || undefined} className={classes} {...rest}>
      {busy}
      {children}
    </button>
  );
}
