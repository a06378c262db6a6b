--
-- PostgreSQL database dump
--

\restrict Dce8zZcnwbsVy4fioj1sogneSoK5akK4L0cP0w5CqAxn98zGrIJ4EQscR0dMRcJ

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: f(); Type: FUNCTION; Schema: public; Owner: jira
--

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $$ SELECT 'it''s; INSERT INTO "AO_81F455_PERSONAL_TOKEN" VALUES (1);' $$;


ALTER FUNCTION public.f() OWNER TO jira;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: AO_81F455_PERSONAL_TOKEN; Type: TABLE; Schema: public; Owner: jira
--

CREATE TABLE public."AO_81F455_PERSONAL_TOKEN" (
    "CREATED_AT" timestamp without time zone NOT NULL,
    "EXPIRING_AT" timestamp without time zone NOT NULL,
    "HASHED_TOKEN" character varying(255),
    "ID" bigint NOT NULL,
    "LAST_ACCESSED_AT" timestamp without time zone,
    "NAME" character varying(255) NOT NULL,
    "NOTIFICATION_STATE" character varying(255),
    "TOKEN_ID" character varying(255) NOT NULL,
    "USER_KEY" character varying(255) NOT NULL
);


ALTER TABLE public."AO_81F455_PERSONAL_TOKEN" OWNER TO jira;

--
-- Name: AO_81F455_PERSONAL_TOKEN_ID_seq; Type: SEQUENCE; Schema: public; Owner: jira
--

CREATE SEQUENCE public."AO_81F455_PERSONAL_TOKEN_ID_seq"
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public."AO_81F455_PERSONAL_TOKEN_ID_seq" OWNER TO jira;

--
-- Name: AO_81F455_PERSONAL_TOKEN_ID_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: jira
--

ALTER SEQUENCE public."AO_81F455_PERSONAL_TOKEN_ID_seq" OWNED BY public."AO_81F455_PERSONAL_TOKEN"."ID";


--
-- Name: other; Type: TABLE; Schema: public; Owner: jira
--

CREATE TABLE public.other (
    a text
);


ALTER TABLE public.other OWNER TO jira;

--
-- Name: zzz; Type: TABLE; Schema: public; Owner: jira
--

CREATE TABLE public.zzz (
    a text
);


ALTER TABLE public.zzz OWNER TO jira;

--
-- Name: AO_81F455_PERSONAL_TOKEN ID; Type: DEFAULT; Schema: public; Owner: jira
--

ALTER TABLE ONLY public."AO_81F455_PERSONAL_TOKEN" ALTER COLUMN "ID" SET DEFAULT nextval('public."AO_81F455_PERSONAL_TOKEN_ID_seq"'::regclass);


--
-- Data for Name: AO_81F455_PERSONAL_TOKEN; Type: TABLE DATA; Schema: public; Owner: jira
--

COPY public."AO_81F455_PERSONAL_TOKEN" ("CREATED_AT", "EXPIRING_AT", "HASHED_TOKEN", "ID", "LAST_ACCESSED_AT", "NAME", "NOTIFICATION_STATE", "TOKEN_ID", "USER_KEY") FROM stdin;
2024-07-02 23:19:52.079	9999-12-31 00:00:00	{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN	2	2024-07-03 17:44:39.117857	ci token	NOT_SENT	123456789012	JIRAUSER10000
2024-07-02 23:19:52	9999-12-31 01:00:00	{PKCS5S2}AAAAAAAAAAAAAAAAAAAAACoM0Eex6ffK+XvwYTe/C7nYgQ4CzNSURm2UNmIiCz9w	3	\N	tab\there, "quotes", it's\na line\r\n\\ \\n; -- # /* $1 $$	EXPIRE_SOON_SENT	000000000000	bob
2024-02-29 00:00:00.1	2031-01-01 00:00:00	{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L	4	2025-01-01 00:00:00.000001	\\N	EXPIRED_SENT	999999999999	alice@example.com
2024-02-29 00:00:00.1	2031-01-01 00:00:00	{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L	5	\N	\\.	NOT_SENT	999999999998	é漢👍
2024-02-29 00:00:00.1	2031-01-01 00:00:00	{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L	6	\N	NULL	NOT_SENT	999999999997	x
\.


--
-- Data for Name: other; Type: TABLE DATA; Schema: public; Owner: jira
--

COPY public.other (a) FROM stdin;
COPY public."AO_81F455_PERSONAL_TOKEN" FROM stdin;
\\.
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
\.


--
-- Data for Name: zzz; Type: TABLE DATA; Schema: public; Owner: jira
--

COPY public.zzz (a) FROM stdin;
after
\.


--
-- Name: AO_81F455_PERSONAL_TOKEN_ID_seq; Type: SEQUENCE SET; Schema: public; Owner: jira
--

SELECT pg_catalog.setval('public."AO_81F455_PERSONAL_TOKEN_ID_seq"', 1, false);


--
-- Name: AO_81F455_PERSONAL_TOKEN AO_81F455_PERSONAL_TOKEN_pkey; Type: CONSTRAINT; Schema: public; Owner: jira
--

ALTER TABLE ONLY public."AO_81F455_PERSONAL_TOKEN"
    ADD CONSTRAINT "AO_81F455_PERSONAL_TOKEN_pkey" PRIMARY KEY ("ID");


--
-- PostgreSQL database dump complete
--

\unrestrict Dce8zZcnwbsVy4fioj1sogneSoK5akK4L0cP0w5CqAxn98zGrIJ4EQscR0dMRcJ

